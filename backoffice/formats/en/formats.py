from backoffice.formats.same import *  # noqa: F403 - Django reads the names of this module
from backoffice.formats.same import ISO_DATES, ISO_DATETIMES, ISO_TIMES

DATE_INPUT_FORMATS = [*ISO_DATES, "%m/%d/%Y"]
THOUSAND_SEPARATOR = ","
TIME_INPUT_FORMATS = ISO_TIMES
DATETIME_INPUT_FORMATS = [*ISO_DATETIMES, "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"]

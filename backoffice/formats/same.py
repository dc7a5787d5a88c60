"""The formats of every language, https://docs.djangoproject.com/en/5.2/ref/templates/builtins/#date"""

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i"
YEAR_MONTH_FORMAT = "Y-m"
MONTH_DAY_FORMAT = "m-d"
FIRST_DAY_OF_WEEK = 1  # Monday, ISO 8601
DECIMAL_SEPARATOR = "."  # numbers are also in attributes that scripts read
THOUSAND_SEPARATOR = "\N{NARROW NO-BREAK SPACE}"
NUMBER_GROUPING = 3
ISO_DATES = ["%Y-%m-%d"]
ISO_TIMES = ["%H:%M:%S", "%H:%M", "%H:%M:%S.%f"]
ISO_DATETIMES = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f"]

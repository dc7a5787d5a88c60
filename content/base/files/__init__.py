"""The file formats of import and export: CSV, XLSX and JSON, read strictly and written without loss."""

from content.base.files.csv import CSV, ExcelCSV, SemicolonCSV, csv_for_excel
from content.base.files.format import FileFormat
from content.base.files.json import JSON
from content.base.files.xlsx import XLSX

FORMATS: dict[str, type[FileFormat]] = {kind.title: kind for kind in (CSV, XLSX, JSON, ExcelCSV, SemicolonCSV)}

__all__ = [
    "CSV",
    "FORMATS",
    "JSON",
    "XLSX",
    "ExcelCSV",
    "FileFormat",
    "SemicolonCSV",
    "csv_for_excel",
]

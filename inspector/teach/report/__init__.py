"""The HTML report of an evaluation: values in, one page out."""

from inspector.teach.report.page import Page, Part, Row, Table, render

__all__ = ["Page", "Part", "Row", "Table", "render"]

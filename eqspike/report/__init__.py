"""One page of HTML that shows a run: what was asked for, what came out, what it costs, and how to do it again."""

from eqspike.report.page import report_html, write_report

__all__ = ["report_html", "write_report"]

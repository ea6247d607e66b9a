"""The report: one page, report/index.html, that opens from disk without a network."""

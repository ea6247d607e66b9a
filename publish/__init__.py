"""From results to readers: tables, the ledger, the page, notebooks."""

"""Which tickers and series are followed: taken from a file, or from the exchanges' listings."""

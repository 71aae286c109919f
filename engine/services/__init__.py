"""One verb a function, one transaction a verb."""

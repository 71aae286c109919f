"""Reports: a period in, a Table out. They read and never write."""

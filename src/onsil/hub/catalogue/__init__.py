"""The city's data sets described for other catalogues, as DCAT-AP 3.0.1."""

"""Exchange with other tools of the field: SANA-FE's files, and the metrics of NeuroBench by their names."""

"""Bundle the model, the data and the evidence into one release that an outsider can verify."""

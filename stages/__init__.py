"""A folder here is a node of the pipeline (`dvc.yaml`); a file is vocabulary or a tool that nodes share."""

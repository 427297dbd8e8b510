"""Order, retries, time and people: `dvc.yaml` becomes a Prefect flow; the `commons` command lives here."""

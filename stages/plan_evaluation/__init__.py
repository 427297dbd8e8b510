"""Fix what will be measured, and how it will be judged, before training starts."""

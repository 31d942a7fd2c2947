"""Content tags, the bake definition, the registry client."""

"""The console's ports over the domain: reads composed into what pages show, forms turned into the domain's commands."""

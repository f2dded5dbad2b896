"""The wire format that the REST API and the webhooks share: names, shapes by release, pretty printing."""

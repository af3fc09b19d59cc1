"""What the pages of the admin are made of; each app's own pages stand beside its models."""

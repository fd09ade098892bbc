"""What the admin pages of every app share."""

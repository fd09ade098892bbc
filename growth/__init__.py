"""What moves people: campaigns, workflows, referrals, marketing spend."""

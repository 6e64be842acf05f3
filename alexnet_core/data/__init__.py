"""Pictures to learn from: every source is first prepared into one plain form on disk (`prepared.PreparedSet`)."""

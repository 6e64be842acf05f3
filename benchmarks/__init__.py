"""Commands that measure what the README claims; results/ keeps what they found, with the hardware beside it."""

"""Commands that measure what the README claims; results/ keeps what they found, a folder for each kind of machine."""

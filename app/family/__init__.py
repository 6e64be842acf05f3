"""The page The family: AlexNet's successors, what each changed, what it costs here, and all of them on one picture."""

"""AlexNet and what it takes to train it, look inside it and explain what it says.

The package knows torch, never Streamlit or Plotly. ARCHITECTURE.md shows the two flows it is built around.
"""

__version__ = "0.1.0"

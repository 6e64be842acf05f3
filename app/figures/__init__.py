"""Pure functions: data -> Plotly figure, numbers -> one picture. Nothing here knows Streamlit or torch."""

"""The app: `streamlit run app/Home.py`."""

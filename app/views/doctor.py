"""Data doctor: what is wrong with a data set, before and after something has learned from it."""

import streamlit as st

from app.doctor import acting, findings_panel, overview, patients, preview_panel, suspects_panel

st.title("Data doctor")
patient = patients.choose()
acting.show(patient)
overview.show(patient)
findings_panel.show(patient)
preview_panel.show(patient.prepared)
suspects_panel.show(patient)

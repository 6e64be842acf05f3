"""Data doctor: what is wrong with a data set, before and after something has learned from it."""

import streamlit as st

from app.doctor import acting, findings_panel, overview, patients, suspects_panel
from app.training import preview_panel

st.title("Data doctor")
source, prepared = patients.choose()
done = st.container()
left, right = st.columns([3, 2], gap="medium")
with left:
    overview.pictures(prepared)
with right:
    patient = patients.examined(source, prepared)
    overview.verdict(patient)
with done:
    acting.show(patient)
findings_panel.show(patient)
preview_panel.show(prepared)
suspects_panel.show(patient)

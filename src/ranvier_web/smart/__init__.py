"""SMART App Launch: the patient's page opens out of the hospital's system, and reads from there what that system gives."""

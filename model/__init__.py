STEP = "step-26"

STEP = "step-18"

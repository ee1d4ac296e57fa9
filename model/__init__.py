STEP = "step-33"

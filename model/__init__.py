STEP = "step-19"

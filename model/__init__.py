STEP = "step-22"

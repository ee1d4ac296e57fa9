STEP = "step-08"

STEP = "step-30"

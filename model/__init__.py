STEP = "step-20"

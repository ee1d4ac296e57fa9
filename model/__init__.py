STEP = "step-10"

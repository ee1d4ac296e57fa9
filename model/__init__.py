STEP = "step-13"

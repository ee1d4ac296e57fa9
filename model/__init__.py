STEP = "step-14"

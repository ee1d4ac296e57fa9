STEP = "step-31"

"""From a network to a folder of the model repository: graph, parity, configurations, TensorRT job."""

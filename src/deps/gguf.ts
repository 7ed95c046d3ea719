/** Reads headers of GGUF files. */
export { GGMLQuantizationType, gguf } from "npm:@huggingface/gguf@0.4.6";
export type { GGUFMetadata, GGUFTensorInfo } from "npm:@huggingface/gguf@0.4.6";

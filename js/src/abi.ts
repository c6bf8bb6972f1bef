// The exports of both wasm modules as TypeScript sees them. kernel/kernel.h and control/control.h say
// what they do. Pointers come back as signed numbers; memory.ts and kernel.ts make them unsigned.

/** Exports of rvf_control.wasm that this package calls. */
export interface ControlExports {
  readonly memory: WebAssembly.Memory;
  rvf_alloc(size: number): number;
  rvf_free(ptr: number, size: number): void;
  rvf_memory_limit(maxBytes: number): number;
  rvf_store_create(dimension: number, metric: number): number;
  rvf_store_open_branch(
    buf: number,
    len: number,
    parent: number,
    parentLen: number,
    metric: number,
  ): number;
  rvf_store_close(handle: number): number;
  rvf_store_ingest(handle: number, vecs: number, ids: number, count: number): number;
  rvf_store_query(handle: number, query: number, k: number, metric: number, out: number): number;
  rvf_store_delete(handle: number, ids: number, count: number): number;
  rvf_store_vector(handle: number, id: number, out: number): number;
  rvf_store_count(handle: number): number;
  rvf_store_dimension(handle: number): number;
  rvf_store_status(handle: number, out: number): number;
  rvf_store_warnings(handle: number): number;
  rvf_store_set_file_id(handle: number, id: number): number;
  rvf_store_export_size(handle: number): number;
  rvf_store_export(handle: number, out: number, len: number): number;
  rvf_store_memory_usage(handle: number, out: number): number;
}

/** The 14 exports of rvf_kernel.wasm and its memory, which never grows. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  rvf_init(config: number): number;
  rvf_load_query(query: number, dim: number): number;
  rvf_load_block(block: number, count: number, dtype: number): number;
  rvf_distances(metric: number, result: number): number;
  rvf_topk_merge(dist: number, id: number, count: number, k: number): number;
  rvf_topk_read(out: number): number;
  rvf_load_sq_params(params: number, dim: number): number;
  rvf_dequant_i8(src: number, dst: number, count: number): number;
  rvf_load_pq_codebook(codebook: number, subspaces: number, centroids: number): number;
  rvf_pq_distances(codes: number, count: number, result: number): number;
  rvf_load_neighbors(node: bigint, layer: number, out: number): number;
  rvf_greedy_step(current: bigint, layer: number): bigint;
  rvf_verify_header(header: number): number;
  rvf_crc32c(data: number, len: number): number;
}

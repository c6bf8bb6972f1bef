// The exports of the wasm modules as TypeScript sees them. kernel/kernel.h, control/control.h and
// control/index.h say what they do. Pointers come back as signed numbers; memory.ts and kernel.ts make
// them unsigned.

/** Exports of rvf_control.wasm that this package calls. */
export interface ControlExports {
  readonly memory: WebAssembly.Memory;
  rvf_alloc(size: number): number;
  rvf_free(ptr: number, size: number): void;
  rvf_memory_limit(maxBytes: number): number;

  rvf_store_create(dimension: number, metric: number): number;
  rvf_store_open_with(
    buf: number,
    len: number,
    parents: number,
    parentCount: number,
    metric: number,
    flags: number,
  ): number;
  rvf_store_losses(handle: number, out: number, len: number): number;
  rvf_store_close(handle: number): number;
  rvf_store_upsert(
    handle: number,
    vecs: number,
    ids: number,
    count: number,
    meta: number,
    metaLen: number,
  ): number;
  rvf_store_set_metadata(handle: number, id: number, meta: number, metaLen: number): number;
  rvf_store_metadata(handle: number, id: number, out: number, len: number): number;
  rvf_store_search(
    handle: number,
    query: number,
    k: number,
    metric: number,
    filter: number,
    filterLen: number,
    out: number,
  ): number;
  rvf_store_delete_where(handle: number, filter: number, filterLen: number): number;
  rvf_store_ids(handle: number, out: number, len: number): number;
  rvf_store_delete(handle: number, ids: number, count: number): number;
  rvf_store_vector(handle: number, id: number, out: number): number;
  rvf_store_count(handle: number): number;
  rvf_store_dimension(handle: number): number;
  rvf_store_status(handle: number, out: number): number;
  rvf_store_warnings(handle: number): number;
  rvf_store_set_file_id(handle: number, id: number): number;

  rvf_store_commit(
    handle: number,
    timeNs: bigint,
    signature: number,
    flags: number,
    out: number,
  ): number;
  rvf_store_acknowledge(handle: number): number;
  rvf_store_discard(handle: number): number;
  rvf_store_freeze(handle: number): number;
  rvf_store_derive(
    handle: number,
    type: number,
    fileId: number,
    parent: number,
    parentLen: number,
  ): number;
  rvf_store_branch(
    handle: number,
    fileId: number,
    parent: number,
    parentLen: number,
    name: number,
    nameLen: number,
  ): number;
  rvf_store_lineage(handle: number, out: number): number;
  rvf_store_state(handle: number, out: number): number;
  rvf_store_embed(handle: number, type: number, payload: number, len: number): number;
  rvf_store_segment(handle: number, index: number, out: number): number;
  rvf_store_export_size(handle: number): number;
  rvf_store_export(handle: number, out: number, len: number): number;
  rvf_store_memory_usage(handle: number, out: number): number;

  rvf_segment_at(buf: number, len: number, offset: number, out: number): number;
  rvf_verify_checksum(buf: number, len: number): number;
  rvf_signing_input(buf: number, len: number, out: number): number;
  rvf_hash(kind: number, buf: number, len: number, out: number): number;
  rvf_witness_report(buf: number, len: number, out: number): number;
  rvf_witness_count(chain: number, len: number): number;
  rvf_witness_entry(
    chain: number,
    len: number,
    action: number,
    timeNs: bigint,
    type: number,
    out: number,
  ): number;
}

/** Exports of rvf_search.wasm, which has those of rvf_control.wasm too. */
export interface SearchExports extends ControlExports {
  rvf_index_create(
    handle: number,
    flags: number,
    m: number,
    efConstruction: number,
    seed: bigint,
  ): number;
  rvf_index_drop(handle: number): number;
  rvf_index_build(handle: number, maxRows: number): number;
  rvf_index_search(
    handle: number,
    queries: number,
    count: number,
    k: number,
    metric: number,
    ef: number,
    work: number,
    filter: number,
    filterLen: number,
    out: number,
    found: number,
  ): number;
  rvf_index_save(handle: number): number;
  rvf_index_load(handle: number, seed: bigint): number;
  rvf_index_state(handle: number, out: number): number;
  rvf_rows_begin(handle: number, rows: number, more: number): number;
  rvf_rows_take(handle: number, piece: number, len: number, skip: number, hash: number): number;
  rvf_rows_metadata(handle: number, payload: number, len: number): number;
  rvf_rows_link(handle: number, segment: number, len: number, seed: bigint): number;
  rvf_rows_find(
    handle: number,
    query: number,
    ef: number,
    work: number,
    filter: number,
    filterLen: number,
    out: number,
  ): number;
  rvf_rows_compare(
    handle: number,
    query: number,
    rows: number,
    vectors: number,
    count: number,
    k: number,
    out: number,
  ): number;
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

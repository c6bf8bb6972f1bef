/**
 * Values of scalar-quantized codes: min + (code + 128) / 255 * (max - min) per dimension.
 * Section 16.1 and the tile decisions, "Data types and metrics".
 * @param {Int8Array} codes one per dimension
 * @param {ArrayLike<number>} parameters min and max interleaved: min0, max0, min1, max1, ...
 * @returns {Float64Array}
 * @throws {RangeError} when there are not two parameters per code
 */
export function sqDequantize(codes, parameters) {
  if (parameters.length !== 2 * codes.length) {
    throw new RangeError(`${parameters.length} parameters for ${codes.length} codes`);
  }
  return Float64Array.from(codes, (code, i) => {
    const low = parameters[2 * i];
    const high = parameters[2 * i + 1];
    return low + ((code + 128) / 255) * (high - low);
  });
}

/**
 * Distances from a query to every centroid of a product quantizer, so that the distance to a coded
 * vector is one look-up per subspace.
 * @param {ArrayLike<number>} query subspaces * subDimension values
 * @param {ArrayLike<number>} centroids subspace after subspace, `count` centroids of `subDimension`
 *   values in each
 * @param {{subspaces: number, count: number, subDimension: number}} shape
 * @param {(a: ArrayLike<number>, b: ArrayLike<number>) => number} distance one that is a sum over
 *   dimensions: l2 or innerProduct
 * @returns {Float64Array} subspaces * count, subspace after subspace
 * @throws {RangeError} when query or centroids do not have the shape
 */
export function pqTable(query, centroids, { subspaces, count, subDimension }, distance) {
  if (
    query.length !== subspaces * subDimension ||
    centroids.length !== subspaces * count * subDimension
  ) {
    throw new RangeError("query or centroids do not have the shape");
  }
  const values = Array.from(query);
  const codebook = Array.from(centroids);
  return Float64Array.from({ length: subspaces * count }, (_, entry) => {
    const subspace = Math.floor(entry / count);
    const part = values.slice(subspace * subDimension, (subspace + 1) * subDimension);
    return distance(part, codebook.slice(entry * subDimension, (entry + 1) * subDimension));
  });
}

/**
 * The distance of one coded vector.
 * @param {Float64Array} table of pqTable
 * @param {Uint8Array} codes one per subspace
 * @param {number} count centroids per subspace
 * @returns {number}
 * @throws {RangeError} when a code is not below count, or the table does not have one row per code
 */
export function pqDistance(table, codes, count) {
  if (table.length !== codes.length * count) {
    throw new RangeError(`${codes.length} codes for a table of ${table.length / count} subspaces`);
  }
  let sum = 0;
  codes.forEach((code, subspace) => {
    if (code >= count) {
      throw new RangeError(`code ${code} in subspace ${subspace}, centroids ${count}`);
    }
    sum += table[subspace * count + code];
  });
  return sum;
}

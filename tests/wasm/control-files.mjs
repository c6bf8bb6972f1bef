import { ControlModule } from "./control-module.mjs";

/** The exports that take the bytes of a file, which need not be opened. */
export class ControlFiles extends ControlModule {
  /** Every segment by rvf_segment_count and rvf_segment_info. */
  segments(file) {
    return this.with(file, (at) => {
      const count = this.exports.rvf_segment_count(at, file.length);
      return Array.from({ length: count }, (_, index) => {
        const { status, bytes } = this.result(28, (out) =>
          this.exports.rvf_segment_info(at, file.length, index, out),
        );
        if (status !== 0) throw new Error(`segment ${index} of ${count}: status ${status}`);
        const view = new DataView(bytes.buffer);
        return {
          id: view.getBigUint64(0, true),
          type: view.getUint32(8, true),
          payloadLength: Number(view.getBigUint64(12, true)),
          offset: Number(view.getBigUint64(20, true)),
        };
      });
    });
  }

  /** Every segment by rvf_segment_at, also those that are damaged or cut off. */
  inspect(file) {
    return this.with(file, (at) => {
      const found = [];
      for (let offset = 0; ; ) {
        const { status, bytes } = this.result(48, (out) =>
          this.exports.rvf_segment_at(at, file.length, offset, out),
        );
        if (status !== 1) return found;
        const view = new DataView(bytes.buffer);
        const one = {
          id: view.getBigUint64(0, true),
          offset: Number(view.getBigUint64(8, true)),
          payloadLength: Number(view.getBigUint64(16, true)),
          type: bytes[24],
          version: bytes[25],
          flags: view.getUint16(26, true),
          hash: ["absent", "good", "bad", "cut off"][view.getUint32(28, true)],
          footerSize: view.getUint32(32, true),
        };
        found.push(one);
        const whole = 64 + one.payloadLength + one.footerSize;
        offset = one.offset + (one.hash === "cut off" ? 1 : whole);
      }
    });
  }

  verifyChecksum(segment) {
    return this.with(segment, (at) => this.exports.rvf_verify_checksum(at, segment.length));
  }

  /** The 94 bytes to sign of the segment at the beginning of some bytes. */
  signingInput(segment) {
    return this.with(segment, (at) =>
      this.result(94, (out) => this.exports.rvf_signing_input(at, segment.length, out)),
    );
  }

  /** @param {0 | 1} kind 0 the simple hash, 1 SHAKE-256 */
  hash(kind, bytes) {
    return this.with(bytes, (at) =>
      this.result(32, (out) => this.exports.rvf_hash(kind, at, bytes.length, out)),
    );
  }

  witnessReport(file) {
    const { status, bytes } = this.with(file, (at) =>
      this.result(24, (out) => this.exports.rvf_witness_report(at, file.length, out)),
    );
    const [checked, starts, foreign, broken] = new Uint32Array(bytes.buffer);
    const firstBroken = Number(new DataView(bytes.buffer).getBigUint64(16, true));
    return { status, checked, starts, foreign, broken, firstBroken };
  }

  witnessVerify(chain) {
    return this.with(chain, (at) => this.exports.rvf_witness_verify(at, chain.length));
  }

  witnessCount(chain) {
    return this.with(chain, (at) => this.exports.rvf_witness_count(at, chain.length));
  }

  /** The 73-byte entry that follows a chain. */
  witnessEntry(chain, action, time, type) {
    return this.with(chain, (at) =>
      this.with(action, (hash) =>
        this.result(73, (out) =>
          this.exports.rvf_witness_entry(at, chain.length, hash, time, type, out),
        ),
      ),
    );
  }
}

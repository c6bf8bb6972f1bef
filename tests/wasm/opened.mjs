// Files opened in the control module, and what an export of one says.
import { readRvf } from "../reference/format.mjs";
import { Control } from "./control.mjs";

/** Opens bytes in a module of their own. */
export function opened(bytes, metric) {
  const control = new Control();
  return { control, handle: control.open(bytes, metric) };
}

export const exported = ({ control, handle }) => readRvf(control.export(handle).bytes);

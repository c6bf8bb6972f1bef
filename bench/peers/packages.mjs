// Packages of this folder or of the workspace.
import { existsSync, readFileSync } from "node:fs";

const FOLDERS = ["./node_modules/", "../../node_modules/"];

/** The path of a package's file, which need not be among its exports. */
export function packageFile(name, path) {
  const found = FOLDERS.map((folder) => new URL(`${folder}${name}/${path}`, import.meta.url)).find(
    (url) => existsSync(url),
  );
  if (!found) throw new Error(`the npm package ${name} is not installed`);
  return found.pathname;
}

export const versionOf = (name) =>
  JSON.parse(readFileSync(packageFile(name, "package.json"), "utf8")).version;

// Makes the control module's memory grow before and after each of its calls, so that any view which
// outlives a call is detached, and any address computed from a stale length is wrong.

/** Replaces WebAssembly.Instance and .instantiate; answers a function that counts the growths. */
export function growInEveryCall() {
  const { Instance, instantiate } = WebAssembly;
  let growths = 0;

  const wrap = (instance) => {
    const { memory, ...functions } = instance.exports;
    if (functions.rvf_store_create === undefined) return instance;
    const grow = () => {
      const before = memory.buffer;
      memory.grow(0); // detaches all views without using memory up
      if (memory.buffer === before) throw new Error("growing by nothing keeps the buffer here");
      growths++;
    };
    const exports = { memory };
    for (const [name, call] of Object.entries(functions)) {
      if (typeof call !== "function") continue;
      exports[name] = (...args) => {
        grow();
        const answer = call(...args);
        grow();
        return answer;
      };
    }
    return { exports };
  };

  WebAssembly.Instance = function Wrapped(...args) {
    return wrap(new Instance(...args));
  };
  WebAssembly.instantiate = async (...args) => {
    const answer = await instantiate(...args);
    return answer instanceof Instance ? wrap(answer) : answer;
  };
  return () => growths;
}

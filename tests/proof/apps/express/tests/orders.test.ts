import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { parseOrder } from "../src/orders.js";

describe("an order", () => {
  it("needs a customer, an item and a quantity", () => {
    const order = { customerId: 1, item: "tea", quantity: 2 };
    assert.deepEqual(parseOrder(order), order);
    assert.equal(parseOrder({ ...order, quantity: "2" }), undefined);
    assert.equal(parseOrder(undefined), undefined);
  });
});

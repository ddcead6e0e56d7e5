export interface Order {
  customerId: number;
  item: string;
  quantity: number;
}

/** An order from what a client has sent, if it is one. */
export function parseOrder(body: unknown): Order | undefined {
  const { customerId, item, quantity } = (body ?? {}) as Record<string, unknown>;
  if (typeof customerId !== "number" || typeof item !== "string" || typeof quantity !== "number") {
    return undefined;
  }
  return { customerId, item, quantity };
}

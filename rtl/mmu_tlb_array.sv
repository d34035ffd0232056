/*
 * One TLB array: SETS sets of WAYS ways with tree pseudo-LRU, two lookup ports.
 * SETS = 1 makes it fully associative.
 *
 * Order within a cycle: the fetch port's touch, the data port's touch, then a drop or a fill. A lookup sees the
 * array as it was before the cycle's drop or fill, and a fill's victim is chosen after the cycle's touches.
 *
 * Tree pseudo-LRU: nodes 1..WAYS-1 in heap order, one bit each; 0 points to the lower half. Bit 0 is not used.
 */
module mmu_tlb_array #(
  /// Sets; a power of two.
  parameter int unsigned SETS = 8,
  /// Ways of a set; a power of two.
  parameter int unsigned WAYS = 4
) (
  /// Clock.
  input  logic                    clk_i,
  /// Asynchronous reset, active low: the array is empty, the replacement bits are 0.
  input  logic                    rst_ni,

  /// The fetch port looks up a page.
  input  logic                    f_valid_i,
  /// Its page number.
  input  logic [19:0]             f_page_i,
  /// An entry matches.
  output logic                    f_match_o,
  /// The way that matches.
  output logic [4:0]              f_way_o,
  /// The entry that matches.
  output mmu_pkg::mmu_tlb_entry_t f_entry_o,
  /// The entry that matches is used: touch its replacement bits.
  input  logic                    f_touch_i,
  /// Drop what matches.
  input  logic                    f_drop_i,

  /// The data port looks up a page.
  input  logic                    d_valid_i,
  /// Its page number.
  input  logic [19:0]             d_page_i,
  /// An entry matches.
  output logic                    d_match_o,
  /// The way that matches.
  output logic [4:0]              d_way_o,
  /// The entry that matches.
  output mmu_pkg::mmu_tlb_entry_t d_entry_o,
  /// The entry that matches is used: touch its replacement bits.
  input  logic                    d_touch_i,
  /// Drop what matches.
  input  logic                    d_drop_i,

  /// Enter a translation. No drop comes in the same cycle.
  input  logic                    fill_i,
  /// Its page number.
  input  logic [19:0]             fill_page_i,
  /// It is global.
  input  logic                    fill_global_i,
  /// The rest of it; the tag is made here.
  input  mmu_pkg::mmu_tlb_entry_t fill_entry_i,
  /// The way it goes to.
  output logic [4:0]              fill_way_o,
  /// It displaces a valid entry.
  output logic                    fill_evicted_o,

  /// Drop all entries that are not global.
  input  logic                    flush_i,
  /// Drop the global ones as well; only with flush_i.
  input  logic                    flush_global_i
);

  localparam int unsigned ENTRIES = SETS * WAYS;
  localparam int unsigned SET_BITS = $clog2(SETS);
  localparam int WAY_BITS = $clog2(WAYS);
  localparam int unsigned INDEX_BITS = (ENTRIES > 1) ? $clog2(ENTRIES) : 1;

  logic [44:0]             entries_q[ENTRIES];  // mmu_tlb_entry_t each; Yosys 0.23 misreads arrays of structs
  logic [ENTRIES-1:0]      valid_q;
  logic [ENTRIES-1:0]      global_q;
  logic [ENTRIES-1:0]      plru_q, plru_d;  // WAYS bits a set

  function automatic logic [INDEX_BITS-1:0] first_way(input logic [19:0] page);
    first_way = INDEX_BITS'((page & 20'(SETS - 1)) * 20'(WAYS));
  endfunction

  /* The replacement bits of a set after way was touched: each node on its path points away from it. */
  function automatic logic [WAYS-1:0] plru_touch(input logic [WAYS-1:0] nodes, input logic [4:0] way);
    logic [5:0] node;
    logic       half;
    plru_touch = nodes;
    node = 6'd1;
    for (int level = 0; level < WAY_BITS; level++) begin
      half = way[WAY_BITS-1-level];
      for (int n = 1; n < WAYS; n++) begin
        if (node == 6'(n)) plru_touch[n] = !half;
      end
      node = {node[4:0], half};
    end
  endfunction

  /* The way that the replacement bits of a set point to. */
  function automatic logic [4:0] plru_way(input logic [WAYS-1:0] nodes);
    logic [5:0] node;
    logic       half;
    plru_way = 5'd0;
    node = 6'd1;
    for (int level = 0; level < WAY_BITS; level++) begin
      half = |((nodes >> node) & WAYS'(1));
      plru_way = {plru_way[3:0], half};
      node = {node[4:0], half};
    end
  endfunction

  /* Lookup, one block a port. */
  logic [INDEX_BITS-1:0]   f_first, d_first;
  logic [WAYS-1:0]         f_ways, d_ways;  // which ways match
  mmu_pkg::mmu_tlb_entry_t f_entry, d_entry;

  always_comb begin
    f_first   = first_way(f_page_i);
    f_ways    = '0;
    f_way_o   = '0;
    f_entry   = '0;
    f_entry_o = '0;
    if (f_valid_i && (valid_q != '0)) begin
      for (int w = 0; w < WAYS; w++) begin
        f_entry = entries_q[f_first + INDEX_BITS'(w)];
        if (valid_q[f_first + INDEX_BITS'(w)] && f_entry.tag == (f_page_i >> SET_BITS)) begin
          f_ways[w] = 1'b1;
          f_way_o   = 5'(w);
          f_entry_o = f_entry;
        end
      end
    end
  end

  always_comb begin
    d_first   = first_way(d_page_i);
    d_ways    = '0;
    d_way_o   = '0;
    d_entry   = '0;
    d_entry_o = '0;
    if (d_valid_i && (valid_q != '0)) begin
      for (int w = 0; w < WAYS; w++) begin
        d_entry = entries_q[d_first + INDEX_BITS'(w)];
        if (valid_q[d_first + INDEX_BITS'(w)] && d_entry.tag == (d_page_i >> SET_BITS)) begin
          d_ways[w] = 1'b1;
          d_way_o   = 5'(w);
          d_entry_o = d_entry;
        end
      end
    end
  end

  assign f_match_o = |f_ways;
  assign d_match_o = |d_ways;

  /* Replacement: the lowest invalid way, else the pseudo-LRU way. */
  logic [INDEX_BITS-1:0]   fill_first;
  mmu_pkg::mmu_tlb_entry_t fill_entry;

  always_comb begin
    plru_d         = plru_q;
    fill_first     = '0;
    fill_way_o     = '0;
    fill_evicted_o = 1'b0;
    fill_entry     = '0;
    if (f_touch_i) plru_d[f_first+:WAYS] = plru_touch(plru_d[f_first+:WAYS], f_way_o);
    if (d_touch_i) plru_d[d_first+:WAYS] = plru_touch(plru_d[d_first+:WAYS], d_way_o);
    if (fill_i) begin
      fill_first     = first_way(fill_page_i);
      fill_evicted_o = 1'b1;
      fill_way_o     = plru_way(plru_d[fill_first+:WAYS]);
      for (int w = WAYS - 1; w >= 0; w--) begin
        if (!valid_q[fill_first + INDEX_BITS'(w)]) begin
          fill_evicted_o = 1'b0;
          fill_way_o     = 5'(w);
        end
      end
      fill_entry     = fill_entry_i;
      fill_entry.tag = fill_page_i >> SET_BITS;
      plru_d[fill_first+:WAYS] = plru_touch(plru_d[fill_first+:WAYS], fill_way_o);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      plru_q  <= '0;
    end else begin
      plru_q <= plru_d;
      if (f_drop_i) valid_q[f_first+:WAYS] <= valid_q[f_first+:WAYS] & ~f_ways;
      if (d_drop_i) valid_q[d_first+:WAYS] <= valid_q[d_first+:WAYS] & ~d_ways;
      if (fill_i) valid_q[fill_first + INDEX_BITS'(fill_way_o)] <= 1'b1;
      if (flush_i) valid_q <= flush_global_i ? '0 : (valid_q & global_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (fill_i) begin
      entries_q[fill_first + INDEX_BITS'(fill_way_o)] <= fill_entry;
      global_q[fill_first + INDEX_BITS'(fill_way_o)]  <= fill_global_i;
    end
  end

endmodule

#include "uart16550.h"

#include <string.h>

enum { IER_DATA = 0x01, IER_THRE = 0x02, IER_LINE = 0x04, IER_MODEM = 0x08 };
enum {
  IIR_NONE = 0x01,
  IIR_MODEM = 0x00,
  IIR_THRE = 0x02,
  IIR_DATA = 0x04,
  IIR_LINE = 0x06,
  IIR_TIMEOUT = 0x0C,
  IIR_FIFO = 0xC0
};
enum { FCR_ENABLE = 0x01, FCR_CLEAR_RX = 0x02, FCR_CLEAR_TX = 0x04, FCR_KEPT = 0xC9 };
enum { LCR_DLAB = 0x80 };
enum { MCR_OUT2 = 0x08, MCR_LOOP = 0x10 };
enum { LSR_DATA = 0x01, LSR_OVERRUN = 0x02, LSR_BREAK = 0x10, LSR_THRE = 0x20, LSR_IDLE = 0x40, LSR_ERRORS = 0x1E };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_DCD = 0x80, MSR_DELTAS = 0x0F };

/* Finds the interrupt to report, by priority, and drives INTR. */
static void update(uart_t *u) {
  bool fifo = u->fcr & FCR_ENABLE;
  uint8_t id = IIR_NONE;
  if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
    id = IIR_LINE;
  else if ((u->ier & IER_DATA) && u->timeout_pending)
    id = IIR_TIMEOUT;
  else if ((u->ier & IER_DATA) && (u->lsr & LSR_DATA) && (!fifo || u->held >= u->trigger))
    id = IIR_DATA;
  else if ((u->ier & IER_THRE) && u->thre_pending)
    id = IIR_THRE;
  else if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTAS))
    id = IIR_MODEM;
  u->iir = (uint8_t)(id | (fifo ? IIR_FIFO : 0));
  u->wires.irq(u->wires.ctx, id != IIR_NONE);
}

void uart_init(uart_t *u, const uart_wires_t *wires) {
  memset(u, 0, sizeof *u);
  u->wires = *wires;
  u->divisor = 12;
  u->iir = IIR_NONE;
  u->mcr = MCR_OUT2;
  u->lsr = LSR_THRE | LSR_IDLE;
  u->msr = MSR_DCD | MSR_DSR | MSR_CTS;
  u->trigger = 1;
}

void uart_receive(uart_t *u, uint8_t byte) {
  if (!(u->fcr & FCR_ENABLE)) {
    if (u->lsr & LSR_DATA) u->lsr |= LSR_OVERRUN;
    u->rbr = byte;
  } else if (u->held == UART_FIFO) {
    u->lsr |= LSR_OVERRUN;
  } else {
    u->fifo[(u->head + u->held++) % UART_FIFO] = byte;
    u->timeout_pending = u->held < u->trigger;
  }
  u->lsr |= LSR_DATA;
  update(u);
}

static uint8_t read_data(uart_t *u) {
  uint8_t byte = u->rbr;
  if (u->fcr & FCR_ENABLE) {
    byte = u->held ? u->fifo[u->head] : 0;
    if (u->held) {
      u->head = (u->head + 1) % UART_FIFO;
      u->held--;
    }
    u->timeout_pending = u->held && u->held < u->trigger;
  }
  if (!(u->fcr & FCR_ENABLE) || !u->held) u->lsr &= (uint8_t) ~(LSR_DATA | LSR_BREAK);
  update(u);
  return byte;
}

/* INTR falls when the byte is written and rises when it has left: an edge for the interrupt controller. */
static void write_data(uart_t *u, uint8_t byte) {
  u->thre_pending = false;
  update(u);
  if (u->mcr & MCR_LOOP)
    uart_receive(u, byte);
  else
    u->wires.send(u->wires.ctx, byte);
  u->thre_pending = true;
  update(u);
}

static void write_ier(uart_t *u, uint8_t data) {
  uint8_t changed = (u->ier ^ data) & 0x0F;
  u->ier = data & 0x0F;
  if (changed & IER_THRE) u->thre_pending = u->ier & IER_THRE;
  update(u);
}

static void write_fcr(uart_t *u, uint8_t data) {
  static const uint8_t triggers[4] = {1, 4, 8, 14};
  if (u->fcr == data) return;
  if ((u->fcr ^ data) & FCR_ENABLE) data |= FCR_CLEAR_RX | FCR_CLEAR_TX;
  if (data & FCR_CLEAR_RX) {
    u->lsr &= (uint8_t) ~(LSR_DATA | LSR_BREAK);
    u->timeout_pending = false;
    u->head = u->held = 0;
  }
  if (data & FCR_CLEAR_TX) u->thre_pending = true;
  u->fcr = data & FCR_KEPT;
  u->trigger = triggers[data >> 6];
  update(u);
}

bool uart_wants_input(const uart_t *u) {
  enum { LOOKS = 2 };
  bool room = u->fcr & FCR_ENABLE ? u->held < UART_FIFO : !(u->lsr & LSR_DATA);
  return room && !(u->mcr & MCR_LOOP) && ((u->ier & IER_DATA) || u->looks >= LOOKS);
}

static void count_look(uart_t *u, unsigned reg) {
  if (reg != 5 || (u->lsr & LSR_DATA))
    u->looks = 0;
  else if (u->looks < UINT8_MAX)
    u->looks++;
}

uint8_t uart_read(uart_t *u, unsigned reg) {
  bool dlab = u->lcr & LCR_DLAB;
  count_look(u, reg);
  uint8_t data;
  switch (reg) {
  case 0:
    return dlab ? (uint8_t)u->divisor : read_data(u);
  case 1:
    return dlab ? (uint8_t)(u->divisor >> 8) : u->ier;
  case 2:
    data = u->iir;
    if ((data & 0x0F) == IIR_THRE) {
      u->thre_pending = false;
      update(u);
    }
    return data;
  case 3:
    return u->lcr;
  case 4:
    return u->mcr;
  case 5:
    data = u->lsr;
    if (data & (LSR_BREAK | LSR_OVERRUN)) {
      u->lsr &= (uint8_t) ~(LSR_BREAK | LSR_OVERRUN);
      update(u);
    }
    return data;
  case 6:
    if (u->mcr & MCR_LOOP) /* DTR, RTS, OUT1 and OUT2 come back as DSR, CTS, RI and DCD */
      return (uint8_t)((u->mcr & 0x0C) << 4 | (u->mcr & 0x02) << 3 | (u->mcr & 0x01) << 5);
    data = u->msr;
    u->msr &= (uint8_t)~MSR_DELTAS;
    update(u);
    return data;
  default:
    return u->scr;
  }
}

void uart_write(uart_t *u, unsigned reg, uint8_t data) {
  bool dlab = u->lcr & LCR_DLAB;
  u->looks = 0;
  switch (reg) {
  case 0:
    if (dlab)
      u->divisor = (uint16_t)((u->divisor & 0xFF00) | data);
    else
      write_data(u, data);
    break;
  case 1:
    if (dlab)
      u->divisor = (uint16_t)((u->divisor & 0x00FF) | data << 8);
    else
      write_ier(u, data);
    break;
  case 2:
    write_fcr(u, data);
    break;
  case 3:
    u->lcr = data;
    break;
  case 4:
    u->mcr = data & 0x1F;
    break;
  case 7:
    u->scr = data;
    break;
  default:
    break; /* LSR and MSR are read-only */
  }
}
